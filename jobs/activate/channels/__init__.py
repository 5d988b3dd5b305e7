"""How each kind of channel takes an audience: one adapter a file over one small base."""
