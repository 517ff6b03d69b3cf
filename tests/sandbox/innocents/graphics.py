try:
    import matplotlib; matplotlib.use("Agg"); import matplotlib.pyplot as plt
except ImportError: print("fine")
else:
    plt.plot([1, 2]); plt.savefig("/work/x.png"); print("fine")
