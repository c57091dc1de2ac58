-- Puts the oldest dead letters back into the stream, as if they had not been tried.
local stream, dead, bytes = KEYS[1], KEYS[2], KEYS[3]
local letters = redis.call('XRANGE', dead, '-', '+', 'COUNT', ARGV[1])
for _, letter in ipairs(letters) do
  local fields = {}
  for i = 1, #letter[2], 2 do
    if letter[2][i] ~= 'tries' then
      fields[#fields + 1] = letter[2][i]
      fields[#fields + 1] = letter[2][i + 1]
    end
  end
  redis.call('XADD', stream, '*', unpack(fields))
  remove_dead(dead, bytes, letter)
end
return #letters
