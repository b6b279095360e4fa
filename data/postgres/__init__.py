"""The database, by what is kept in it; transactions, events and connections stand beside the folders."""
