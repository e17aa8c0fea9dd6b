"""Everything that can go wrong, by kind: one small function for each fault."""
