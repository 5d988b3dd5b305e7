"""What young cohorts will come to, told apart from what was seen of them."""
