"""What an operator and a developer run: set-up, the database, tokens, checks, the demo."""
