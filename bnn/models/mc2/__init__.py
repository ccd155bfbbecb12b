"""MC2SleepNet: two views of one EEG channel, aligned and encoded together over a sequence of epochs."""
