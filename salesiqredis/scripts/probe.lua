-- Tries commands, each a line of words of which @ is the key, and leaves nothing
-- behind. That there is no group yet is no failure.
for _, line in ipairs(ARGV) do
  local command = {}
  for word in string.gmatch(line, '%S+') do
    if word == '@' then word = KEYS[1] end
    command[#command + 1] = word
  end
  local answer = redis.pcall(unpack(command))
  if type(answer) == 'table' and answer.err and not string.find(answer.err, 'NOGROUP', 1, true) then return answer end
end
return 1
