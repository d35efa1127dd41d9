#include "tests/conformance/RowTable.h"

#include <fnmatch.h>

#include <algorithm>
#include <set>

namespace inlay::conformance {
namespace {

constexpr Group kGroups[] = {
#define INLAY_CONFORMANCE_GROUP(name, upstream, standard, what) {#name, upstream, standard, what},
#include "tests/conformance/Groups.def"
#undef INLAY_CONFORMANCE_GROUP
};

uint64_t hashOf(const std::string &text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  // The high bits of FNV depend little on the last characters.
  return (hash ^ (hash >> 29)) * 0xbf58476d1ce4e5b9;
}

} // namespace

std::span<const Group> allGroups() { return kGroups; }

void RowTable::add(Row row) {
  INLAY_CHECK(std::any_of(std::begin(kGroups), std::end(kGroups),
                          [&](const Group &group) { return group.name == row.group; }),
              "a row's group is not in Groups.def: " + row.fullName());
  rows_.push_back(std::move(row));
}

std::vector<const Row *> RowTable::select(const std::string &pattern, bool isAll) const {
  std::vector<const Row *> selected;
  for (const Group &group : kGroups) {
    std::vector<const Row *> ofGroup;
    for (const Row &row : rows_)
      if (row.group == group.name)
        ofGroup.push_back(&row);
    if (!isAll && ofGroup.size() > group.numStandard) {
      std::sort(ofGroup.begin(), ofGroup.end(), [](const Row *a, const Row *b) {
        return hashOf(a->fullName()) < hashOf(b->fullName());
      });
      ofGroup.resize(group.numStandard);
    }
    for (const Row *row : ofGroup)
      if (::fnmatch(pattern.c_str(), row->fullName().c_str(), 0) == 0)
        selected.push_back(row);
  }
  return selected;
}

std::vector<const Row *> RowTable::share(const std::vector<const Row *> &rows, uint64_t part,
                                         uint64_t count) {
  std::vector<const Row *> chosen;
  for (const Row *row : rows)
    if (hashOf(row->fullName()) / 7 % count == part) // not the bits that chose the standard set
      chosen.push_back(row);
  return chosen;
}

RowTable buildRowTable() {
  RowTable table;
#define INLAY_CONFORMANCE_ROWS(name) add##name##Rows(table);
#include "tests/conformance/RowFiles.def"
#undef INLAY_CONFORMANCE_ROWS
  std::set<std::string> names;
  for (const Row &row : table.rows())
    INLAY_CHECK(names.insert(row.fullName()).second, "two rows have the name " + row.fullName());
  return table;
}

} // namespace inlay::conformance
