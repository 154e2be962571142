"""pmosync checks project work in Jira and Asana against the PMO's standards and writes the verdict back."""

__version__ = "0.1.0"
