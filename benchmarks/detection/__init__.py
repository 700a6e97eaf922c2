"""The detection study: our default beside PCA, nearest neighbours, forests and PyOD, on open sets."""
