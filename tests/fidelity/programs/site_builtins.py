print(exit, quit, copyright.__class__.__name__, license, credits.__class__.__name__, help)
