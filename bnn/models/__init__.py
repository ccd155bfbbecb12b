"""Networks that train: binary layers on Brevitas and the ECG network. Needs the extra `train`."""
