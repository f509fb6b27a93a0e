// SPDX-License-Identifier: Apache-2.0
#include "reconcile/changes.hpp"

#include <gtest/gtest.h>

namespace waybill::reconcile {
namespace {

struct Case {
  const char *tag, *before, *after, *change;
};

TEST(Changes, SayWhatAnEditDoesWithoutTheValue) {
  static constexpr Case kCases[] = {
      {"0010,0010", "", "Adler^Anna", "missing"},
      {"0010,0010", "UNKNOWN", "Adler^Anna", "placeholder"},
      {"0010,0010", "Adler^Anna", "Adler^Anna", "uneven"},
      {"0010,0010", "Mueller^Anna", "Müller^Anna", "form"},
      {"0010,0010", "Anna^Adler", "Adler^Anna", "near"},
      {"0010,0010", "Wolf^Ute", "Adler^Anna", "other"},
      {"0010,0020", "0000", "0017", "placeholder"},
      {"0010,0020", "mrn 17", "MRN-17", "form"},
      {"0010,0020", "00178", "00187", "near"},
      {"0010,0020", "90000178", "00000211", "other"},
      {"0010,0030", "19000101", "19700203", "placeholder"},
      {"0010,0030", "1970-02-03", "19700203", "form"},
      {"0010,0030", "19700302", "19700203", "near"},
      {"0010,0040", "W", "F", "form"},
      {"0010,0040", "O", "F", "placeholder"},
      {"0008,0050", "", "A1", "missing"},
      {"0008,0050", "A-1", "A1", "form"},
  };
  for (const Case& c : kCases)
    EXPECT_EQ(change_of({c.tag, c.before, c.after, "CORRECT"}), c.change) << c.tag << " " << c.before;
}

}  // namespace
}  // namespace waybill::reconcile
