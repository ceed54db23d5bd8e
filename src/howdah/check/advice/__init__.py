"""Another way to the same end that stops nobody: made up from what a statement did, and run before it is advised."""
