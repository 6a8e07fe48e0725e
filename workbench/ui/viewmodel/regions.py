"""Names of regions by their code (GB/T 2260), as far as anybody needs them: the province."""

from __future__ import annotations

from workbench.ui.i18n import language

PROVINCES: dict[str, tuple[str, str]] = {
    "11": ("Beijing", "北京"), "12": ("Tianjin", "天津"), "13": ("Hebei", "河北"), "14": ("Shanxi", "山西"),
    "15": ("Inner Mongolia", "内蒙古"), "21": ("Liaoning", "辽宁"), "22": ("Jilin", "吉林"),
    "23": ("Heilongjiang", "黑龙江"), "31": ("Shanghai", "上海"), "32": ("Jiangsu", "江苏"), "33": ("Zhejiang", "浙江"),
    "34": ("Anhui", "安徽"), "35": ("Fujian", "福建"), "36": ("Jiangxi", "江西"), "37": ("Shandong", "山东"),
    "41": ("Henan", "河南"), "42": ("Hubei", "湖北"), "43": ("Hunan", "湖南"), "44": ("Guangdong", "广东"),
    "45": ("Guangxi", "广西"), "46": ("Hainan", "海南"), "50": ("Chongqing", "重庆"), "51": ("Sichuan", "四川"),
    "52": ("Guizhou", "贵州"), "53": ("Yunnan", "云南"), "54": ("Tibet", "西藏"), "61": ("Shaanxi", "陕西"),
    "62": ("Gansu", "甘肃"), "63": ("Qinghai", "青海"), "64": ("Ningxia", "宁夏"), "65": ("Xinjiang", "新疆"),
    "71": ("Taiwan", "台湾"), "81": ("Hong Kong", "香港"), "82": ("Macao", "澳门"),
}  # fmt: skip
"""First two digits: English and Chinese."""


def province(code: str) -> str:
    """ "" for no code; a code that nobody knows stays one."""
    names = PROVINCES.get(code[:2])
    return code if names is None else names[language.get() == "zh"]


def region(code: str) -> str:
    """Province and code, where the code says more."""
    name = province(code)
    return name if name == code or code.endswith("0000") else f"{name} {code}"
