import datetime,zoneinfo,time,calendar
for z in ("UTC","Europe/Berlin","America/New_York","Asia/Kolkata"): print(datetime.datetime(2024,7,1,12,tzinfo=zoneinfo.ZoneInfo(z)).isoformat())
print(len(zoneinfo.available_timezones())>400, time.tzname, datetime.datetime.fromtimestamp(0).isoformat(), time.strftime("%A %B",time.gmtime(0)))
print(datetime.datetime(2024,1,1).astimezone().tzinfo)
