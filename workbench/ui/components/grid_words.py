"""What a grid says by itself, on the screen and to a screen reader, in the language of who looks; and how Tab leaves
it: arrows walk through cells, or a keyboard would need a thousand presses to get past a table."""

from __future__ import annotations

from typing import Any

from workbench.ui.i18n import language, t

ZH = {
    "andCondition": "并且",
    "ariaAdvancedFilterInput": "筛选",
    "ariaChecked": "已选中",
    "ariaColumn": "列",
    "ariaColumnSelectAll": "切换全部列的可见性",
    "ariaFilterMenuOpen": "打开筛选",
    "ariaFilterValue": "筛选值",
    "ariaFilteringOperator": "筛选方式",
    "ariaHeaderSelection": "表头选择列",
    "ariaHidden": "隐藏",
    "ariaIndeterminate": "部分选中",
    "ariaInputEditor": "编辑框",
    "ariaLabelCellEditor": "单元格编辑框",
    "ariaLabelColumnFilter": "列筛选",
    "ariaLabelColumnMenu": "列菜单",
    "ariaLabelDialog": "对话框",
    "ariaLabelLoadingOverlay": "加载中",
    "ariaLabelSelectField": "选择",
    "ariaLabelTooltip": "提示",
    "ariaMenuColumn": "按 Alt+向下键打开列菜单",
    "ariaRowDeselect": "按空格键取消选择此行",
    "ariaRowSelect": "按空格键选择此行",
    "ariaRowSelectAll": "按空格键切换全部行的选择",
    "ariaRowSelectionDisabled": "此行不可选择",
    "ariaRowToggleSelection": "按空格键切换行选择",
    "ariaSearch": "搜索",
    "ariaSkeletonCellLoading": "行数据加载中",
    "ariaSkeletonCellLoadingFailed": "行加载失败",
    "ariaSortableColumn": "按回车键排序",
    "ariaToggleCellValue": "按空格键切换单元格的值",
    "ariaToggleVisibility": "按空格键切换可见性",
    "ariaUnchecked": "未选中",
    "ariaVisible": "可见",
    "blank": "为空",
    "contains": "包含",
    "copy": "复制",
    "endsWith": "结尾是",
    "equals": "等于",
    "filterOoo": "筛选…",
    "greaterThan": "大于",
    "greaterThanOrEqual": "大于或等于",
    "inRange": "介于",
    "lessThan": "小于",
    "lessThanOrEqual": "小于或等于",
    "loadingError": "错误",
    "loadingOoo": "加载中…",
    "noRowsToShow": "没有可显示的行",
    "notBlank": "不为空",
    "notContains": "不包含",
    "notEqual": "不等于",
    "orCondition": "或者",
    "startsWith": "开头是",
}
"""AG Grid's own keys; in English they are its own words."""


def locale(*, empty: str = "") -> dict[str, str]:
    """For `dashGridOptions["localeText"]`; `empty` is said where there are no rows."""
    words = dict(ZH) if language.get() == "zh" else {}
    return words | {"loadingOoo": t("Loading…")} | ({"noRowsToShow": empty} if empty else {})


LEAVE = {"function": "queueGrid.leave()"}


def usual(*, empty: str = "") -> dict[str, Any]:
    """For `dashGridOptions`; `empty` is said where there are no rows."""
    return {"localeText": locale(empty=empty), "tabToNextCell": LEAVE, "tabToNextHeader": LEAVE}
