"""Figure functions: from a small frame to a plotly figure, nothing read and nothing summed."""
