"""What is decided: pure machines and values.

Nothing below this folder knows asyncio, anyio, aiohttp, aiofiles, time, random or os: *now*,
*jitter* and *bytes* come in as arguments, decisions go out as values.
"""
