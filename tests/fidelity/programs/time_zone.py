import time, datetime
print(time.tzname, datetime.datetime.fromtimestamp(0), time.strftime("%c %Z", time.localtime(86400)))
