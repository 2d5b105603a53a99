"""What a reasoner is asked and what it may answer, whoever reasons: rules, a model, a person."""
