"""The versions of a model: who serves which, who decided so, and when that is taken back."""
