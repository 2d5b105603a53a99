"""The trainers that are built in, in pure numpy, and what others can be made of: `local_sgd`."""
