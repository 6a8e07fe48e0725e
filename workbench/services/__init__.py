"""What people do at the workbench, without a web framework: callbacks, commands and tests call the same."""
