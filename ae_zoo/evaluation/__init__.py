"""What a trained model is worth: PCA beside it, anomalies, and the space of its codes."""
