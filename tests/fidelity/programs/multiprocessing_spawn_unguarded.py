import multiprocessing as mp
print("current", mp.current_process().name, mp.parent_process())
print(mp.get_start_method(), mp.cpu_count() >= 1)
