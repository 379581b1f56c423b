"""Pages by which people get into their own accounts, before they can sign in."""
