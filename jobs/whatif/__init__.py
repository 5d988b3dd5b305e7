"""What a plan would be under other terms: the published plan's own road, rehearsed and published nowhere."""
