-- Finds out whether this server takes what is written.
return redis.call('DEL', KEYS[1])
