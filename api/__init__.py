"""How people reach it: services (use cases), command line, routes and pages."""
