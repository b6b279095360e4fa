"""What comes in: streets, barriers, buildings, compounds and divisions, checked on entry."""
