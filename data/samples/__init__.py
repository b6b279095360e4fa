"""The samples that come with the product."""
