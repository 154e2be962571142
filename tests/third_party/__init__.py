"""What others wrote against what we wrote: clients on our sandbox, servers under our connector, official documents."""
