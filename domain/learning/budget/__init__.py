"""The privacy ledger: what each data subject has spent, and the budget that nobody may pass."""
