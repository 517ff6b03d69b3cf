import heapq
assert list(heapq.merge([1, 4], [2, 3])) == [1, 2, 3, 4]; print(heapq.nlargest(3, [5, 1, 9, 7]), heapq.nsmallest(2, "hello"), heapq.heappushpop([2, 3], 1))
