"""From a written address to the address of the library: exact, or not sure with candidates and the reason."""
