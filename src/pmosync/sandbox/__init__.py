"""A Jira and an Asana on loopback, with memory, so that a synchronisation can be rehearsed without a vendor's account.

It keeps one promise: what it answers is what the vendor's documents and measurements say the vendor answers, including
the refusals; it knows nothing of the programs that talk to it and counts every call they make.
"""
