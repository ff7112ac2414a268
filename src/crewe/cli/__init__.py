"""The command line: arguments become a plan, the plan is run, the outcome is told."""
