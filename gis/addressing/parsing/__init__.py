"""Free text of an address to labelled parts: characters, tokens, features, a linear chain, and how it is trained."""
