"""What may settle a conflict without anyone being asked, each a pure function of a set of siblings."""
