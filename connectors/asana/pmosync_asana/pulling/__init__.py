"""What is read of a workspace, and how that is proven: whole projects, and what changed in them."""
