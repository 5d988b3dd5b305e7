"""The referee: a ladder of policies played on worlds whose truth is known, at equal volume and under the same caps."""
