// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace waybill::reconcile {

/// What people must look at as one HTML file: to filter and sort, to choose an answer, to save the answers as the CSV
/// that --decisions reads. Rows stand in the file as data and are drawn a page at a time, so that a hundred thousand of
/// them can be used; texts that repeat are kept once. No value can run or load anything, and nothing leaves the page
/// but the file that the person saves. It holds patients' data.
class Worklist {
 public:
  /// `columns` are the names of the cells, as in exceptions.csv.
  explicit Worklist(std::vector<std::string> columns);

  /// `two_people` are the numbers (1, 2, 3) of the proposals that would change whose images they are.
  void add(const std::vector<std::string>& cells, const std::set<int>& two_people);

  [[nodiscard]] std::string html() const;

 private:
  std::size_t text_number(const std::string& text);

  std::vector<std::string> columns_;
  std::vector<bool> shared_;  // columns whose texts are kept once
  std::vector<std::string> texts_;
  std::unordered_map<std::string, std::size_t> numbers_;  // of texts_
  std::string rows_, two_;                                // JSON
  std::size_t count_ = 0;
};

}  // namespace waybill::reconcile
