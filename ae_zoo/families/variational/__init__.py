"""The variational family."""
