from datetime import *
d = datetime(2024, 2, 29, 12, tzinfo=timezone.utc); assert (d + timedelta(days=366)).date() == date(2025, 3, 1)
print(d.isoformat(), d.strftime("%A %j %U"), date.fromisoformat("2024-12-30").isocalendar(), datetime.strptime("1 Jan 2000", "%d %b %Y"), timedelta(hours=-1))
