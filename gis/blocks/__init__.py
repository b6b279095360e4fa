"""Streets to blocks to atoms: the seamless units everything is built from."""
