-- wrk's requests out of a file: a line is the path of a GET, or the body of a POST.
--
--   wrk ... -s lines.lua URL -- GET FILE
--   wrk ... -s lines.lua URL -- POST FILE PATH
--
-- Prints one JSON object at the end.

local threads = 0

function setup(thread)
   thread:set("number", threads)
   threads = threads + 1
end

function init(args)
   local method, file, path = args[1], args[2], args[3]
   local headers = { ["Content-Type"] = "application/json" }

   requests = {}
   for line in io.lines(file) do
      if method == "GET" then
         requests[#requests + 1] = wrk.format("GET", line)
      else
         requests[#requests + 1] = wrk.format("POST", path, headers, line)
      end
   end
   at = math.floor(number * #requests / 2) -- threads do not ask for the same
end

function request()
   at = at % #requests + 1
   return requests[at]
end

function done(summary, latency, _)
   local errors = summary.errors
   io.write(string.format(
      '{"requests": %d, "seconds": %.6f, "p50_us": %d, "p99_us": %d, "bytes": %d, ' ..
      '"refused": %d, "broken": %d}\n',
      summary.requests, summary.duration / 1e6, latency:percentile(50),
      latency:percentile(99), summary.bytes, errors.status,
      errors.connect + errors.read + errors.write + errors.timeout))
end
