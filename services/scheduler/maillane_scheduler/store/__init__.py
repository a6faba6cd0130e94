"""Everything that speaks to Postgres, which is the truth."""
