"""What do `peers.py` and its tests share: a store, work, racers, rounds and tables?"""
