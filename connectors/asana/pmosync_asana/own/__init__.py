"""Our own places in a workspace: our fields and tags, how they are found or made, and how they are taken away."""
