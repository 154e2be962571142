"""What is written into a workspace: each kind of mark by a module of its own."""
