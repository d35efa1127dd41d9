// Peak memory of this process. getrusage will not do: its value outlives exec, so that a program
// started by a large one reports the parent's.
#pragma once

#include <cstdio>
#include <cstring>

/// Peak resident memory in kilobytes (VmHWM of proc(5)); 0 if the system does not tell.
inline long peakMemoryKb() {
  long kilobytes = 0;
  if (std::FILE *file = std::fopen("/proc/self/status", "r")) {
    char line[256];
    while (std::fgets(line, sizeof(line), file))
      if (std::sscanf(line, "VmHWM: %ld", &kilobytes) == 1)
        break;
    std::fclose(file);
  }
  return kilobytes;
}
