import urllib.request
try:
    urllib.request.urlopen("http://127.0.0.1:9/")
except OSError as e:
    print(e)
